// What a token may do, in plain words; many of them are folded.
import { hasEvery, inOrder, wordsOfAbility } from './token-state.ts';
import { words } from './words.ts';

const FEW = 2;

export function AbilityWords({ abilities }: { abilities: readonly string[] }) {
  if (abilities.length === 0) return <p>{words.nothing}</p>;
  if (hasEvery(abilities)) return <p>{words.every}</p>;
  const list = inOrder(abilities);
  if (list.length <= FEW) {
    return (
      <p>
        {words.may} {list.map(wordsOfAbility).join('; ')}
      </p>
    );
  }
  return (
    <details>
      <summary className="w-fit rounded-control py-0.5 marker:text-muted hover:text-fg phone:py-2.5">
        {words.may} {wordsOfAbility(list[0]!)} <span className="text-muted">+ {list.length - 1}</span>
      </summary>
      <ul className="mt-0.5 mb-1 ml-4 list-disc">
        {list.map((ability) => (
          <li key={ability}>
            {wordsOfAbility(ability)} <code className="font-mono text-[12px] text-muted">{ability}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}
