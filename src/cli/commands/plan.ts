import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { Policy } from '../../config/policy.ts';
import { tell } from '../../messages/tell.ts';
import { plan } from '../../rotation/plan.ts';
import type { Io } from '../io.ts';
import { factJson } from '../output/fact-json.ts';
import { writeTable } from '../output/table.ts';
import { type ConfigOption, choosePolicies, withApp } from '../with-app.ts';

export function registerPlan(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--json', 'print JSON')
    .action((names: string[], options: ConfigOption & { json?: true }) =>
      withApp(io, options, async (app) => {
        const plans = [];
        for (const policy of choosePolicies(app, names)) plans.push(await planPolicy(app, policy));
        if (options.json) io.stdout.json(plans.map(planJson));
        else for (const each of plans) writePlan(io, each);
        if (plans.some(({ steps }) => steps.some(({ state }) => state === 'refused'))) io.exit(1);
      }),
    );
}

type PolicyPlan = Awaited<ReturnType<typeof planPolicy>>;

async function planPolicy(app: App, policy: Policy) {
  const ledger = await app.ledger();
  const [open] = await ledger.open(policy.name);
  await using preview = await app.preview(policy, open);
  return { policy: policy.name, rotation: open?.id ?? null, steps: await plan(preview) };
}

/** A plan as `--json` prints it: facts and their messages. */
function planJson({ steps, ...rest }: PolicyPlan) {
  return {
    ...rest,
    steps: steps.map(({ step, state, fact, warnings }) => ({
      step,
      state,
      text: tell(fact),
      ...factJson(fact),
      warnings: warnings.map(tell),
      warningFacts: warnings.map(factJson),
    })),
  };
}

function writePlan(io: Io, { policy, rotation, steps }: PolicyPlan): void {
  io.stdout.write(`${policy}: ${rotation ? `rotation ${rotation} is open` : 'a rotation now'}\n`);
  writeTable(
    io,
    ['step', 'state', 'what'],
    steps.map(({ step, state, fact }) => [step, state, tell(fact)]),
  );
  for (const { step, warnings } of steps) {
    for (const warning of warnings) io.stdout.write(`${step} warning: ${tell(warning)}\n`);
  }
}
