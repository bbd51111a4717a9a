"""All that shares a process with student code: it observes and judges nothing."""
