//! Kimlik's memory in SQLite or PostgreSQL.
