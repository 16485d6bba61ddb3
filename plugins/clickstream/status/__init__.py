"""The status page: what it shows, gathered into one document, and the document as HTML."""
