"""Work in the background: a row is the task, a broker only rings."""
