/** The tables. Keys and tags are bytes, because text cannot hold every character a key may have (NUL). One row a namespace holds the tag clock; one a partition holds its head, and is what a change locks. */

export const SCHEMA = `
  create table if not exists larder_entries (
    namespace text not null, key bytea not null, bytes bytea not null, expires_at bigint not null,
    primary key (namespace, key)
  );
  create index if not exists larder_expiry on larder_entries (expires_at);
  create table if not exists larder_partitions (
    namespace text not null, partition int not null, seq bigint not null, floor bigint not null,
    primary key (namespace, partition)
  );
  create table if not exists larder_log (
    namespace text not null, partition int not null, seq bigint not null, key bytea not null,
    primary key (namespace, partition, seq, key)
  );
  create table if not exists larder_clocks (
    namespace text primary key, version bigint not null, floor bigint not null, retention_ms bigint not null
  );
  create table if not exists larder_tags (
    namespace text not null, tag bytea not null, version bigint not null, primary key (namespace, tag)
  );
  create index if not exists larder_tag_versions on larder_tags (namespace, version);
`
