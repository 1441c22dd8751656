// Makes a process believe in another time: `node --import test/support/shifted-clock.mjs …`, with the difference in
// milliseconds in KEYTURN_TEST_CLOCK_SHIFT. Only the wall clock (`Date`) is shifted; `performance` stays right, as on
// a machine whose clock was set wrong.
const shift = Number(process.env.KEYTURN_TEST_CLOCK_SHIFT ?? 0);
const RealDate = Date;
const now = () => RealDate.now() + shift;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: (target) => new target(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
