"""Mail addresses and telephone numbers of users, each shown to be theirs."""
