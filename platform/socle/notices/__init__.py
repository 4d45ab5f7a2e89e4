"""What people are told: to-do lists, notices in the application, mails."""
