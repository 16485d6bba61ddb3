// Stands in for trino-server-main, which is not published: its main class does only this.
void main(String[] arguments) {
    new io.trino.server.Server().start(arguments[0]);
}
