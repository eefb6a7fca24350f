"""Mail and short messages: a row is the message, a task delivers it."""
