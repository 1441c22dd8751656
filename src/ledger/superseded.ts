/** The rotation was ended or turned round by somebody else since this run began: whatever comes next is not its to do. */
export class Superseded extends Error {
  override readonly name = 'Superseded';

  constructor(id: string, what = 'was ended or rolled back meanwhile') {
    super(`Rotation ${id} ${what}`);
  }
}
