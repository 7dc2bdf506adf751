// The words of the Sessions screen. They are loaded with it.

export const words = {
  title: 'Sessions',
  lead: 'Where you are signed in. End what you do not recognise.',
  current: 'This browser',
  end: 'End session',
  everywhere: 'Sign out everywhere',
  since: (when: string) => `signed in ${when}`,
  seen: (when: string) => `last seen ${when}`,
  loading: 'Loading sessions',
  failed: 'Couldn’t load your sessions',
  ended: 'Session ended.',
};
