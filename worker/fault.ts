// What is wrong with a deployment, by its `env`: found in its settings (configuration.ts), or learned from a hub.
// One object per isolate, so that asking costs a request one look.
const faults = new WeakMap<object, string | null>();

/** A sentence that names the setting, or null; undefined while the settings were not looked at. */
export function knownFault(env: object): string | null | undefined {
  return faults.get(env);
}

export function setFault(env: object, fault: string | null): void {
  faults.set(env, fault);
}
