"""Say what the process runs with: settings, logging, the schedule."""
