/** For a field that is not a login: 1Password, LastPass, Bitwarden and Dashlane do not fill it and do not save it. */
export const NO_LOGIN = {
  'data-1p-ignore': true,
  'data-lpignore': 'true',
  'data-bwignore': true,
  'data-form-type': 'other',
};
