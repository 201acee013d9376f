// Reads request bodies: JSON in UTF-8 and nothing else, checked as text before it is parsed.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseJsonText } from '../../platform/json-text.ts';
import { platformErrors } from '../../platform/platform-errors.ts';

const CONTENT_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
const decoder = new TextDecoder('utf-8', { fatal: true });

export function acceptJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const type = request.headers['content-type'] ?? '';
      if (!CONTENT_TYPE.test(type)) throw platformErrors.unsupported_media_type({ content_type: type });
      const encoding = request.headers['content-encoding'];
      if (encoding !== undefined) throw platformErrors.unsupported_media_type({ content_type: encoding });
      if (body.length === 0) throw platformErrors.bad_json({ problem: 'it is empty' });
      return parseJsonText(decode(body));
    },
  );
}

function decode(body: Buffer): string {
  try {
    return decoder.decode(body);
  } catch (cause) {
    throw platformErrors.bad_json({ problem: 'it is not UTF-8' }, cause);
  }
}
