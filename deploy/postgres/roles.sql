-- Who may do what, once, as the superuser of an empty server: the owner migrates, the services work.
-- The passwords are in the files that OWNER_PASSWORD_FILE and SERVICE_PASSWORD_FILE name.
\set ON_ERROR_STOP on
\set owner_password `cat "$OWNER_PASSWORD_FILE"`
\set service_password `cat "$SERVICE_PASSWORD_FILE"`

CREATE ROLE meals_app NOLOGIN;
CREATE ROLE meals_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE meals_service LOGIN PASSWORD :'service_password' CONNECTION LIMIT 230;
GRANT meals_app TO meals_owner WITH ADMIN OPTION;
GRANT meals_app TO meals_service;

CREATE DATABASE meals OWNER meals_owner;
REVOKE ALL ON DATABASE meals FROM PUBLIC;
GRANT CONNECT ON DATABASE meals TO meals_service;
GRANT TEMPORARY ON DATABASE meals TO meals_app; -- bulk appends are staged in a temporary table

\connect meals
CREATE SCHEMA dagster AUTHORIZATION meals_owner;
GRANT USAGE ON SCHEMA dagster TO meals_service;
ALTER DEFAULT PRIVILEGES FOR ROLE meals_owner IN SCHEMA dagster
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO meals_service;
ALTER DEFAULT PRIVILEGES FOR ROLE meals_owner IN SCHEMA dagster GRANT USAGE, SELECT ON SEQUENCES TO meals_service;
