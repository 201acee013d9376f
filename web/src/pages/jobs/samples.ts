// Commands that add a job to this server, to be copied.
const body = JSON.stringify({ kind: 'reprice', payload: { sku: 'A1' } });

export const sampleCommands: readonly string[] = [
  `quarterdeck job add reprice --payload '{"sku":"A1"}'`,
  `curl -X POST ${location.origin}/v1/jobs -H "authorization: Bearer $QUARTERDECK_TOKEN" -H "content-type: application/json" -d '${body}'`,
  `python3 -c "from quarterdeck import Quarterdeck; Quarterdeck().job.add(kind='reprice', payload={'sku': 'A1'})"`,
];
