"""Alerts to jobs that reach people by mail, and other servers by a webhook."""
