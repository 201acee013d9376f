// Words of the building blocks that every page uses.
export const words = {
  copy: 'Copy',
  copied: 'Copied',
  copyCommand: (command: string) => `Copy the command ${command}`,
  copyRefused: 'The browser did not allow copying',
  copyReport: 'Copy the report',
  tryAgain: 'Try again',
  request: (id: string) => `request ${id}`,
  failed: 'Something in this page failed',
  close: 'Close',
  closeEsc: 'Close (Esc)',
  cancel: 'Cancel',
  message: 'Message',
  didNotWork: 'This did not work',
  tenant: 'Tenant',
  allTenants: 'All tenants',
  pause: {
    reason: 'Why',
    reasonHint: 'Shown beside it and kept in the log; may be left out',
    until: 'Until',
    resumed: 'It is resumed',
    minutes: (n: number) =>
      n < 60 ? `${n} minutes from now` : n === 60 ? '1 hour from now' : `${n / 60} hours from now`,
    word: 'Pause',
  },
  removeFilter: (chip: string) => `Remove the filter ${chip}`,
  notRenewed: (why: string) => `Could not be renewed: ${why}. What you see is from before.`,
} as const;
