import type { Command } from 'commander';
import type { Io } from './io.ts';
import { addLazyCommands, type LazyCommand } from './lazy-commands.ts';

const COMMANDS: readonly LazyCommand[] = [
  {
    usage: 'start',
    description: 'run a worker until Ctrl-C or SIGTERM; SIGHUP reloads the configuration',
    load: async () => (await import('./commands/start.ts')).registerStart,
  },
  {
    usage: 'demo',
    description: 'rotate a sample database every few seconds while clients keep querying it',
    load: async () => (await import('./commands/demo.ts')).registerDemo,
  },
  {
    usage: 'validate',
    description: 'check the configuration; connects to nothing',
    load: async () => (await import('./commands/validate.ts')).registerValidate,
  },
  {
    usage: 'doctor [policy...]',
    description: 'find what would stop or endanger a rotation, and say how to fix it; changes nothing',
    load: async () => (await import('./commands/doctor.ts')).registerDoctor,
  },
  {
    usage: 'plan [policy...]',
    description: 'show what a rotation would do now, step by step; changes nothing',
    load: async () => (await import('./commands/plan.ts')).registerPlan,
  },
  {
    usage: 'rotate [policy...]',
    description: 'rotate policies now',
    load: async () => (await import('./commands/rotate.ts')).registerRotate,
  },
  {
    usage: 'status [policy...]',
    description: 'show the state of policies: active login, sessions, last and next rotation',
    load: async () => (await import('./commands/status.ts')).registerStatus,
  },
  {
    usage: 'history [policy]',
    description: 'list past rotations, newest first: who asked, how long each step took, why it failed',
    load: async () => (await import('./commands/history.ts')).registerHistory,
  },
  {
    usage: 'events [policy]',
    description: 'list what happened, newest first, and which sinks were told',
    load: async () => (await import('./commands/events.ts')).registerEvents,
  },
  {
    usage: 'schedule [policy]',
    description: 'list the next slots of a policy in its time zone',
    load: async () => (await import('./commands/schedule.ts')).registerSchedule,
  },
  {
    usage: 'pause <policy...>',
    description: 'pause the schedule; an open rotation continues, and rotate still works',
    load: async () => (await import('./commands/pause.ts')).registerPause,
  },
  {
    usage: 'resume <policy...>',
    description: 'resume the schedule; `missed` says what happens to a slot that passed meanwhile',
    load: async () => (await import('./commands/resume.ts')).registerResume,
  },
  {
    usage: 'restore [policy...]',
    description: 'make the published login work again, with the password that is published; asks first',
    load: async () => (await import('./commands/restore.ts')).registerRestore,
  },
  {
    usage: 'rollback <policy>',
    description: 'publish the old login again while a rotation drains, and revoke the new one',
    load: async () => (await import('./commands/rollback.ts')).registerRollback,
  },
  {
    usage: 'cancel <policy>',
    description: 'end a rotation that is not published yet, and discard what it staged',
    load: async () => (await import('./commands/cancel.ts')).registerCancel,
  },
  {
    usage: 'attach <policy>',
    description: 'publish to one more destination, and add it to the configuration; asks first',
    load: async () => (await import('./commands/attach.ts')).registerAttach,
  },
  {
    usage: 'detach <policy>',
    description: 'publish no more to a destination, and take it out of the configuration; asks first',
    load: async () => (await import('./commands/detach.ts')).registerDetach,
  },
  {
    usage: 'url <policy>',
    description: 'print the connection URL of the published login, with its password',
    load: async () => (await import('./commands/url.ts')).registerUrl,
  },
  {
    usage: 'exec [policy] [command...]',
    description: 'run a program with the published credential in its environment, and restart it on rotation',
    load: async () => (await import('./commands/exec.ts')).registerExec,
  },
  {
    usage: 'roles',
    description: 'create, list, repair and drop logins; print the SQL for the rotator that manages them',
    load: async () => (await import('./commands/roles.ts')).registerRoles,
  },
];

export function registerCommands(program: Command, io: Io): void {
  addLazyCommands(program, io, COMMANDS);
}
