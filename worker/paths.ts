// The paths of the dashboard's pages.

/** Each has a file of its name. */
export const SCREENS = ['sign-in', 'developer-zone', 'activity', 'sessions'] as const;
/** The page of a person who asks for no other. */
export const HOME = '/developer-zone';
/** The page of one token, without its id. It is the file of the Developer Zone, which reads the id from the address. */
export const TOKEN_PAGE = `${HOME}/tokens/`;
export const PAGES: readonly string[] = [...SCREENS.map((screen) => `/${screen}`), `${TOKEN_PAGE}:token`];
