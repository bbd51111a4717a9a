"""All that shares a process with student code: it observes, and may be lied to; it judges nothing."""
