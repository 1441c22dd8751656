import { expect, test } from 'vitest';
import { load, problemsOf, VALID } from './config-folder.ts';

const given = (url: string) => `queue: { redis: ${JSON.stringify(url)} }\n${VALID}`;

test.each([
  'redis://localhost',
  'rediss://redis:6380/3',
  'redis://:p%40ss%231@127.0.0.1:6379',
  'redis://user:p%C3%A4ss@[::1]:6379/0?family=6',
])('%s is a queue', (url) => {
  expect(load(given(url)).queueRedis).toBe(url);
});

test.each([
  'redis://:hun@ter2#1@127.0.0.1:6379',
  'redis://:hun#ter2@127.0.0.1:6379',
  'redis://:hun@ter2@127.0.0.1:6379',
  'redis://:hunter2/pw@127.0.0.1:6379',
  'redis://user:12?hunter2@127.0.0.1:6379',
  'redis://user:12/hunter2@127.0.0.1:6379',
  'redis://:hunter2@127.0.0.1:99999',
  'redis://:hunter2%zz@127.0.0.1',
  'redis://:hunter%E4@127.0.0.1',
  'redis://:hunter 2@127.0.0.1',
  'redis://:hunter2@',
  'redis://:hunter2@:6379',
  'redis://',
  'redis://redis/hunter2',
])('G3: the queue %s is refused with what to escape, and nothing of it shows', (url) => {
  expect(problemsOf(given(url))).toEqual([
    'k.yaml:1:17 queue.redis: the value is not valid; must be a URL such as redis://user:password@host:6379/0 or rediss://…, and in it @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, % as %25 and a space as %20; or a mapping with sentinels and name, or with cluster',
  ]);
});
