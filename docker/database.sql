-- Run once, by the database's administrator, when the database is new: the role of the control tables, in a schema of
-- its own. Each space gets a role and schemas of its own as well: docs/operator.md, "SQLite or PostgreSQL".
\set password `cat /run/secrets/homeroom-database`
CREATE ROLE homeroom LOGIN PASSWORD :'password';
CREATE SCHEMA control AUTHORIZATION homeroom;
