//! One battery per port, which every driver passes.
