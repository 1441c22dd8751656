import { buildConfig } from './build-config.ts';
import { checkConnections } from './checks/check-connections.ts';
import { checkDestinations } from './checks/check-destinations.ts';
import { checkExposure } from './checks/check-exposure.ts';
import { checkLogins } from './checks/check-logins.ts';
import { checkPlaintext } from './checks/check-plaintext.ts';
import { checkPolicyTypes } from './checks/check-policy-types.ts';
import { checkSchedules } from './checks/check-schedules.ts';
import { checkSecrets } from './checks/check-secrets.ts';
import { checkShape, issuesOfState } from './checks/check-shape.ts';
import { withoutCredentials } from './checks/credential-like.ts';
import type { Config } from './config.ts';
import { ConfigError, type Problem, renderProblem } from './config-error.ts';
import { describeIssue } from './schema/describe-issue.ts';
import { draftOf } from './schema/draft.ts';
import { expandStateUrl, expandUrls } from './urls/expand-urls.ts';
import { type ConfigSource, readTree } from './yaml/read-tree.ts';

/** Reads and validates a configuration whole. Throws a ConfigError with everything that is wrong with it. */
export function loadConfig(source: ConfigSource): Config {
  const { cwd, env } = source;
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const report = (problem: Problem) => problems.push(problem);
  const { tree: merged, read, files } = readTree(source, report);
  // What is in a file that cannot be read, or is nothing but a list, would be reported as missing.
  if (problems.some((problem) => problem.path === '')) throw configError(problems);

  const spelt = expandUrls(merged, report);
  const { entry, issues } = checkShape(spelt);
  const tree = expandStateUrl(spelt, report);
  for (const issue of [...issues, ...issuesOfState(tree)]) problems.push(...describeIssue(tree, issue));
  const draft = draftOf(tree, { problems, warnings });
  const tls = checkConnections(draft, read);
  checkPolicyTypes(draft);
  checkLogins(draft);
  checkSchedules(draft);
  checkSecrets(draft, checkDestinations(draft, cwd));
  checkPlaintext(draft, env);
  const warned = warnings.length;
  checkExposure(draft, merged, cwd);
  const exposed = warnings.slice(warned).map(renderProblem);

  if (problems.length > 0 || entry === undefined) throw configError(problems);
  return buildConfig(entry, {
    cwd,
    tls,
    state: draft.state,
    files: [...files],
    warnings: inOrder(warnings).map(renderProblem),
    exposed,
  });
}

function configError(problems: readonly Problem[]): ConfigError {
  // Two rules on one value may say the same.
  const distinct = new Map(
    problems.map((problem) => {
      const shown = { ...problem, message: withoutCredentials(problem.message) };
      return [renderProblem(shown), shown];
    }),
  );
  return new ConfigError(inOrder([...distinct.values()]));
}

/** As one reads: by file, then from top to bottom. */
function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}
