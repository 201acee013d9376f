// What concerns only this browser, and is kept only in it.
import { Contrast, Monitor, Moon, Sun } from 'lucide-react';
import { setLettersOff, useLettersOff } from '../../app/keyboard.ts';
import { chooseTheme, themeChoices, useThemeChoice } from '../../app/theme.ts';
import { words as shellWords } from '../../app/words.ts';
import { Panel } from '../../ui/panel.tsx';
import { words } from './words.ts';

const icons = { system: Monitor, light: Sun, dark: Moon, contrast: Contrast };

export function BrowserSettings() {
  const theme = useThemeChoice();
  const lettersOff = useLettersOff();
  const w = words.browser;
  return (
    <Panel title={w.title} className="col-span-full">
      <div className="flex flex-wrap items-start gap-x-10 gap-y-4 px-3 py-3">
        <fieldset>
          <legend className="mb-1.5 font-medium">{w.theme}</legend>
          <div className="flex flex-wrap gap-1.5">
            {themeChoices.map((name) => {
              const Icon = icons[name];
              return (
                <label
                  key={name}
                  className="inline-flex h-8 cursor-pointer items-center gap-2 rounded-control border border-line px-2.5 hover:bg-raised has-checked:border-accent has-checked:bg-raised has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent phone:h-11"
                >
                  <input
                    type="radio"
                    name="theme"
                    value={name}
                    checked={theme === name}
                    onChange={() => chooseTheme(name)}
                    className="sr-only"
                  />
                  <Icon aria-hidden="true" size={14} />
                  {shellWords.theme[name]}
                </label>
              );
            })}
          </div>
        </fieldset>
        <div className="min-w-0">
          <label className="flex min-h-8 items-center gap-2 font-medium phone:min-h-11">
            <input
              type="checkbox"
              checked={!lettersOff}
              onChange={(event) => setLettersOff(!event.target.checked)}
              className="size-4 accent-accent"
            />
            {w.letters}
          </label>
          <p className="text-caption text-muted">{w.lettersText}</p>
        </div>
      </div>
    </Panel>
  );
}
