// A store of somebody else: everything is in memory, under one name for each secret.
import { fault } from 'keyturn/store-contract';

export function openStore({ name, options: { secrets = new Map(), alter = (store) => store } = {} }) {
  const entries = (mapping) => Object.entries(mapping);
  const unit = (secret) => secrets.get(secret);
  const parse = (secret, text) => {
    try {
      const value = JSON.parse(text);
      if (typeof value === 'object' && value !== null) return value;
    } catch {}
    throw fault('secret-not-json', { secret });
  };
  const own = ({ secret, key }, text) => {
    if (key === undefined) return text || undefined;
    const value = parse(secret, text)[key];
    return value === undefined || value === '' ? undefined : String(value);
  };
  const secretsOf = (mapping) => [
    ...new Set([mapping.password, ...Object.values(mapping)].flatMap((at) => (at ? [at.secret] : []))),
  ];
  const textAt = (secret, stage) => {
    const held = unit(secret);
    const token = held?.[stage];
    if (stage === 'current')
      return held?.text === undefined ? undefined : { token: held.seen, text: held.text };
    if (token === undefined || (stage === 'pending' && token === held.seen)) return undefined;
    return { token, text: held.versions.get(token) };
  };
  const parts = (mapping, stage) =>
    entries(mapping).flatMap(([field, at]) => {
      const found = textAt(at.secret, stage);
      const value = found && own(at, found.text ?? '');
      return value === undefined ? [] : [{ field, value, token: found.token, secret: at.secret }];
    });
  const read = (mapping, stage) => {
    let found = parts(mapping, stage);
    const [first] = found;
    if (first === undefined) return undefined;
    const shared = found.every(({ token }) => token === first.token) ? first.token : undefined;
    if (stage === 'pending' && shared !== undefined) {
      const current = parts(mapping, 'current').filter(({ token }) => token === shared);
      found = [...current, ...found];
    }
    return { token: shared, fields: Object.fromEntries(found.map(({ field, value }) => [field, value])) };
  };
  const contentOf = (mapping, secret, fields) => {
    const mine = entries(mapping).filter(([, at]) => at.secret === secret);
    const [[field, { key }]] = mine;
    if (key === undefined) return fields[field];
    const object = parse(secret, unit(secret)?.text || '{}');
    for (const [each, at] of mine) object[at.key] = each === 'port' ? Number(fields[each]) : fields[each];
    return JSON.stringify(object);
  };
  const requireValues = (mapping, fields) => {
    for (const [field, { secret }] of entries(mapping))
      if (!fields[field]) throw fault('field-without-value', { secret, field });
  };
  const missing = (mapping) => secretsOf(mapping).filter((secret) => unit(secret)?.text === undefined);
  const requireThere = (mapping) => {
    const [secret] = missing(mapping);
    if (secret !== undefined) throw fault('secret-missing', { store: name, secret });
  };
  const isAt = (held, token, ...stages) => stages.some((stage) => held?.[stage] === token);
  const conflict = (token, field) => fault('version-conflict', { store: name, token, field });

  return alter({
    read: async (mapping, stage) => read(mapping, stage),
    since: async (mapping) => (read(mapping, 'current') ? unit(secretsOf(mapping)[0]).at : undefined),
    async stage(mapping, token, fields, { create }) {
      requireValues(mapping, fields);
      if (!create) requireThere(mapping);
      for (const secret of secretsOf(mapping)) {
        const held = unit(secret) ?? { versions: new Map() };
        if (isAt(held, token, 'current', 'previous', 'pending')) continue;
        if (!held.versions.has(token)) {
          const staged = entries(mapping).flatMap(([field, at]) => {
            const text = unit(at.secret)?.versions.get(token);
            return text === undefined ? [] : [[field, own(at, text)]];
          });
          for (const [field, value] of staged)
            if (['password', 'url'].includes(field) && value !== fields[field]) throw conflict(token, field);
          held.versions.set(token, contentOf(mapping, secret, fields));
        }
        held.pending = token;
        secrets.set(secret, held);
      }
    },
    async promote(mapping, token, { back = false } = {}) {
      const stages = back ? ['pending', 'current', 'previous'] : ['pending', 'current'];
      for (const secret of secretsOf(mapping))
        if (!isAt(unit(secret), token, ...stages))
          throw fault('version-not-promotable', { store: name, secret, token });
      for (const secret of secretsOf(mapping)) {
        const held = unit(secret);
        if (held.current !== token) {
          held.previous = held.current;
          held.current = token;
          held.seen = token;
          held.text = held.versions.get(token);
          held.at = new Date();
        }
        if (held.pending === token) held.pending = undefined;
      }
    },
    async discard(mapping, token) {
      if (secretsOf(mapping).some((secret) => unit(secret)?.current === token)) return;
      for (const secret of secretsOf(mapping)) {
        const held = unit(secret);
        if (held?.pending !== token) continue;
        held.pending = undefined;
        held.versions.delete(token);
      }
    },
    async remove(mapping) {
      const whole = secretsOf(mapping).map((secret) => {
        const mine = entries(mapping).flatMap(([, at]) => (at.secret === secret ? [at.key] : []));
        const text = unit(secret)?.text;
        const keys = mine[0] === undefined || !text ? [] : Object.keys(parse(secret, text));
        const others = keys.filter((key) => !mine.includes(key));
        if (others.length > 0) throw fault('secret-shared', { store: name, secret, keys: others });
        return secret;
      });
      for (const secret of whole) secrets.delete(secret);
    },
    obstacles: async (mapping, { create }) =>
      create
        ? []
        : missing(mapping).map((secret) => ({ code: 'secret-missing', params: { store: name, secret } })),
    async rehearse(mapping, _token, fields) {
      requireValues(mapping, fields);
      requireThere(mapping);
      for (const secret of secretsOf(mapping)) contentOf(mapping, secret, fields);
    },
    close: async () => {},
  });
}
