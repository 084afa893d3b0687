//! What is sent to origins and viewers: request and response header rules.
