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
  removeFilter: (chip: string) => `Remove the filter ${chip}`,
  notRenewed: (why: string) => `Could not be renewed: ${why}. What you see is from before.`,
} as const;
