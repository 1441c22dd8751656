import { isFault } from '../../facts/fault.ts';
import { readLogins } from '../../postgres/logins/login.ts';
import type { OpenReplica } from '../../postgres/replicas/open-replica.ts';
import { incomingLogin } from '../context/rotation-logins.ts';
import type { RotationView } from '../context/rotation-view.ts';
import { proveStaged } from './prove-login.ts';

/**
 * The replicas that do not let the incoming login in with the staged password yet: consumers who
 * read from them would be refused (G1). Throws where more than replay is missing, such as an entry
 * in pg_hba.conf.
 */
export async function replicasWithout(context: RotationView): Promise<OpenReplica[]> {
  const without: OpenReplica[] = [];
  for (const replica of context.replicas) {
    if (!(await isLetIn(context, replica))) without.push(replica);
  }
  return without;
}

function isLetIn(context: RotationView, replica: OpenReplica): Promise<boolean> {
  const incoming = incomingLogin(context);
  return replica.ask(async (client) => {
    // Asked first, so that the replica does not log a refused login at every look.
    const login = (await readLogins(client, [incoming])).get(incoming);
    if (!login?.canLogin) return false;
    try {
      await using _session = await proveStaged(context, { server: replica.target });
      return true;
    } catch (error) {
      if (isFault(error, 'password-refused')) return false;
      throw error;
    }
  });
}
