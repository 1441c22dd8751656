import { readFileSync } from 'node:fs';
import type { PrismaPg } from '@prisma/adapter-pg';
import { type GetPrismaClientConfig, getPrismaClient } from '@prisma/client/runtime/client';

/** A module without types. */
const COMPILER: string = '@prisma/client/runtime/query_compiler_fast_bg.postgresql.mjs';

/** Node.js has it; TypeScript only knows it with the library of browsers. */
declare const WebAssembly: { readonly Module: new (code: Uint8Array) => object };

/** The parts of a generated client that the tests use. */
export interface PrismaClient {
  readonly thing: {
    count(): Promise<number>;
    create(options: { data: { id: number; name: string } }): Promise<unknown>;
    findUnique(options: { where: { id: number } }): Promise<{ name: string } | null>;
  };
  $queryRawUnsafe(sql: string): Promise<unknown[]>;
  $transaction<Result>(body: (client: PrismaClient) => Promise<Result>): Promise<Result>;
  $disconnect(): Promise<void>;
}

/**
 * A client of a schema with the one model `Thing`, a table of id and name. `prisma-client.json` has what
 * `prisma generate` writes into internal/class.ts; its packages are too large to install for that alone.
 */
export function openPrisma(adapter: PrismaPg): PrismaClient {
  const file = new URL('prisma-client.json', import.meta.url);
  // JSON.parse gives what was generated for this type.
  const generated = JSON.parse(readFileSync(file, 'utf8')) as GetPrismaClientConfig;
  const Client = getPrismaClient({
    ...generated,
    compilerWasm: {
      getRuntime: () => import(COMPILER),
      async getQueryCompilerWasmModule() {
        const { wasm } = await import(COMPILER.replace('.mjs', '.wasm-base64.mjs'));
        return new WebAssembly.Module(Buffer.from(wasm, 'base64'));
      },
      importName: './query_compiler_fast_bg.js',
    },
  });
  // The type of a model's methods is in the generated files only.
  return new Client({ adapter }) as unknown as PrismaClient;
}
