import com.segment.analytics.Analytics;
import com.segment.analytics.Callback;
import com.segment.analytics.messages.AliasMessage;
import com.segment.analytics.messages.GroupMessage;
import com.segment.analytics.messages.IdentifyMessage;
import com.segment.analytics.messages.Message;
import com.segment.analytics.messages.MessageBuilder;
import com.segment.analytics.messages.PageMessage;
import com.segment.analytics.messages.TrackMessage;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Send each kind of call with analytics-java: `Send URL KEY USER`. Exits with 1 when one was not taken. */
class Send {
  public static void main(String[] arguments) throws InterruptedException {
    String url = arguments[0], key = arguments[1], user = arguments[2];
    List<MessageBuilder<?, ?>> messages = List.of(
        IdentifyMessage.builder().traits(Map.of("name", "김하늘", "logins", 2)),
        TrackMessage.builder("SDK Tried")
            .properties(Map.of("title", "Celadon Cup \"Crane\" 🍵", "price", 12.5, "quantity", 3)),
        PageMessage.builder("Checkout").properties(Map.of("path", "/checkout")),
        GroupMessage.builder("group-of-" + user).traits(Map.of("seats", 5)),
        AliasMessage.builder("before-" + user));
    CountDownLatch open = new CountDownLatch(messages.size());
    AtomicInteger failures = new AtomicInteger();
    Callback callback = new Callback() {
      @Override public void success(Message message) {
        open.countDown();
      }

      @Override public void failure(Message message, Throwable error) {
        error.printStackTrace();
        failures.incrementAndGet();
        open.countDown();
      }
    };
    Analytics analytics = Analytics.builder(key).endpoint(url).callback(callback).build();
    messages.forEach(message -> analytics.enqueue(message.userId(user)));
    analytics.flush();
    boolean done = open.await(60, TimeUnit.SECONDS);
    analytics.shutdown();
    System.exit(done && failures.get() == 0 ? 0 : 1);
  }
}
