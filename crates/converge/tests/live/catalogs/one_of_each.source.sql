-- One of everything that a catalogue knows, in words that both families understand.
create table parent (
  a int not null,
  b varchar(20) character set latin1 collate latin1_swedish_ci not null,
  primary key (a, b desc)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_unicode_ci
  comment = 'it''s a \\ "parent"; -- drop';

create table one_of_each (
  id bigint unsigned not null auto_increment comment 'quotes '' " `\nbackslash \\ ü',
  parent_a int,
  parent_b varchar(20) character set latin1 collate latin1_swedish_ci,
  self_id bigint unsigned,
  small smallint unsigned default 7,
  zero int(5) unsigned zerofill default 3,
  flag tinyint(1) default 1,
  negative int default -5,
  price decimal(6,2) default 1.5,
  bits bit(3) default b'101',
  ratio float default 1.5,
  huge double default 1e100,
  made_in year default 2024,
  name varchar(20) not null default 'it''s \\ "x" ü\n%',
  face varchar(20) default 'why? 😀',
  nothing varchar(20) not null default '',
  word varchar(20) default 'current_timestamp',
  size enum('s','l','it''s','') default 'l',
  tags set('a','b') default 'a,b',
  padded binary(4) default 'ab',
  cut binary(4) default 'a\0b',
  bytes varbinary(10) default x'ff00fe',
  day date default '2024-01-02',
  moment datetime(3) default '2024-01-02 03:04:05.678',
  clock time default '01:02:03',
  code char(36) default (uuid()),
  phrase varchar(50) default (concat('ü € '' ', "x\\y")),
  sum int default (1 + 2 * 3 - 4),
  list json default (json_array()),
  object json default (json_object('a', 1)),
  story text default ('once'),
  today date default (current_date),
  made datetime(6) not null default current_timestamp(6) on update current_timestamp(6),
  seen timestamp null default current_timestamp on update current_timestamp,
  twice int as (small * 2 + 1) virtual,
  label varchar(90) as (concat(name, '-ü', coalesce(word, 'x'))) stored,
  shout varchar(60) generated always as (upper(name)) stored,
  sort varchar(10) as (case when small > 3 then 'big' else 'small' end) virtual,
  hidden int default 3 invisible,
  shape point not null,
  body text collate utf8mb4_bin,
  lat varchar(10) character set latin1 collate latin1_bin,
  document longtext,
  constraint by_price check (price > 0 and price < 1000),
  constraint by_name check (name <> 'it''s' or length(name) between 1 and 10),
  constraint is_document check (json_valid(document)),
  constraint by_size check (size in ('s', 'l') and flag is not null and not (small = 3)),
  constraint by_pattern check (name not like 'a%' or coalesce(negative, 1) >= 0 or small % 2 = 1),
  check (huge < 5e200),
  check (ratio <> 4),
  primary key (id),
  unique key by_name_and_small (name, small),
  unique key by_start (body(10)),
  key downwards (small desc, name),
  key remarked (negative) comment 'it''s a \\ key',
  key `odd ``name` (flag),
  key unused (zero),
  fulltext key by_word (body),
  spatial key by_place (shape),
  constraint to_parent foreign key (parent_a, parent_b) references parent (a, b)
    on delete cascade on update set null,
  constraint to_self foreign key (self_id) references one_of_each (id)
) engine = InnoDB auto_increment = 1000 default charset = utf8mb4 collate = utf8mb4_unicode_ci;

create table by_range (id int not null, day date not null, primary key (id, day))
  default charset = latin1 collate = latin1_swedish_ci
  partition by range (year(day)) (
    partition p0 values less than (2020), partition p1 values less than maxvalue);
create table by_column_and_hash (id int not null, day date not null, primary key (id, day))
  default charset = utf8mb4 collate = utf8mb4_unicode_ci
  partition by range columns (day) subpartition by hash (id + 1) subpartitions 2 (
    partition p0 values less than ('2020-01-01'), partition p1 values less than (maxvalue));
create table by_key (id int primary key)
  default charset = utf8mb4 collate = utf8mb4_unicode_ci partition by key () partitions 3;

create view a_view as select id, name from one_of_each;
create trigger a_trigger before insert on parent for each row set new.a = new.a + 1;
create procedure a_procedure() select 1;
create function a_function(x int) returns int deterministic no sql return x + 1;
create event an_event on schedule every 1 day disable do select 1;
