// Who called with a secret, as it is counted: never an address.

/** In place of the number of a network: all callers that are not counted by themselves. */
export const OTHERS = -1;
