// How much one client may ask of /mcp.

/** Bytes of one request, with all of its messages. */
export const LARGEST_BODY = 4 * 1024 * 1024;
/** Messages of one credential; each of a batch counts. */
export const MESSAGES_PER_MINUTE = 600;
