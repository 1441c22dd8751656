// Loaded before everything else with --import: appends the URL or path of each module that the process loads to
// the file of RECORD_MODULES.
import { appendFileSync } from 'node:fs';
import Module, { register } from 'node:module';

const hook = `
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    appendFileSync(process.env.RECORD_MODULES, url + '\\n');
    return next(url, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
// What CommonJS requires does not pass the hook.
process.on('exit', () => {
  const paths = Object.keys(Module._cache).map((path) => `${path}\n`);
  appendFileSync(process.env.RECORD_MODULES, paths.join(''));
});
