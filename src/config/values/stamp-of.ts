import { statSync } from 'node:fs';

/**
 * A text that changes when any of these files or folders does: when it is written, replaced, added or removed, or a
 * link on its way points elsewhere (as a mounted Kubernetes ConfigMap is updated). Their contents are not read.
 */
export function stampOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stat ? `${path} ${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs}` : `${path} is not there`;
    })
    .join('\n');
}
