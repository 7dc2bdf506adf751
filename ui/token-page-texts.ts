// The words of the page of a token. They are loaded with it.

export const words = {
  zone: 'Developer Zone',
  crumbs: 'Breadcrumb',
  lastUsed: (when: string) => `Last used ${when}`,
  never: 'Never used',
  activity: 'Activity',
  all: 'All of it',
  noEvents: 'Nothing here yet.',
  about: 'About this token',
  createdBy: 'Created by',
  createdAt: 'Created at',
  remove: 'Delete this token…',
  goneTitle: 'This token doesn’t exist',
  gone: 'It was deleted, or it belongs to another organisation.',
  back: 'Go to Developer Zone',
  notRenamed: 'Not renamed.',
  renameName: (mask: string) => `Rename token ${mask}`,
  nameField: (mask: string) => `Name of token ${mask}`,
  noName: 'Unnamed token',
  rename: 'Rename',
};
