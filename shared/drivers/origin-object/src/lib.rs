//! Buckets and folders as origins, through object_store.
