/** What commands say on stderr where something waits for a worker and none is up. */
export const NO_WORKER = 'keyturn: no worker is running; it is done as soon as one is: keyturn start\n';
