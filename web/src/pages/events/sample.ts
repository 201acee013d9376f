// A command that adds an event to this server, to be copied.
export const sampleCommand = `curl -X POST ${location.origin}/v1/events -H "authorization: Bearer $QUARTERDECK_TOKEN" -H "content-type: application/json" -d '{"event_type":"hello.said","payload":{"to":"the deck"}}'`;
