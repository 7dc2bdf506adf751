/** For a field that is no login: 1Password, LastPass, Bitwarden and Dashlane offer nothing there, and keep nothing of it. */
export const NO_LOGIN = {
  'data-1p-ignore': true,
  'data-lpignore': 'true',
  'data-bwignore': true,
  'data-form-type': 'other',
};
