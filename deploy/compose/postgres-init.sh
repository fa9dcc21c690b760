#!/bin/sh
# Runs once, on an empty volume. The services own their database and nothing else: no superuser, so that row-level
# security binds them. They may make the two roles that the migrations ask for.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres --set password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE heardback LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE heardback OWNER heardback;
\connect heardback
CREATE EXTENSION IF NOT EXISTS vector;
SQL
