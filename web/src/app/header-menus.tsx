// The menus at the end of the header: theme, and the operator.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { CirclePause, Contrast, Keyboard, LogOut, Monitor, Moon, Sun, User } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { call } from '../api/client.ts';
import { meQuery } from '../api/queries.ts';
import { routes } from '../api/routes.ts';
import { IconButton } from '../ui/button.tsx';
import { setLettersOff, useLettersOff } from './keyboard.ts';
import { MenuChoice, MenuContent, MenuItem, MenuLine, MenuSwitch } from './menu.tsx';
import { openPauseWork } from './pause-work.tsx';
import { endSession } from './session.ts';
import { chooseTheme, type ThemeChoice, themeChoices, useThemeChoice } from './theme.ts';
import { words } from './words.ts';

const themeIcons = { system: Monitor, light: Sun, dark: Moon, contrast: Contrast };

export function ThemeMenu() {
  const choice = useThemeChoice();
  const Icon = themeIcons[choice];
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <IconButton label={`${words.theme.label}: ${words.theme[choice]}`}>
          <Icon size={16} />
        </IconButton>
      </DropdownMenu.Trigger>
      <MenuContent>
        <DropdownMenu.RadioGroup value={choice} onValueChange={(value) => chooseTheme(value as ThemeChoice)}>
          {themeChoices.map((name) => (
            <MenuChoice key={name} value={name}>
              {words.theme[name]}
            </MenuChoice>
          ))}
        </DropdownMenu.RadioGroup>
      </MenuContent>
    </DropdownMenu.Root>
  );
}

export function useSignOut(): () => void {
  const queries = useQueryClient();
  return () => {
    // Also when the server cannot be told: the page forgets what it shows, and the cookie ends by itself.
    const leave = (): void => {
      endSession();
      queries.clear();
    };
    void call(routes.signOut, {}).then(leave, leave);
  };
}

export function OperatorMenu({ onHelp }: { onHelp: () => void }) {
  const me = useQuery(meQuery).data;
  const lettersOff = useLettersOff();
  const signOut = useSignOut();
  if (me === undefined) return null;
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <IconButton label={`${words.operator.label}: ${me.name}`}>
          <User size={16} />
        </IconButton>
      </DropdownMenu.Trigger>
      <MenuContent>
        <div className="px-2 py-1.5">
          <p className="font-semibold">{me.name}</p>
          <p className="text-caption text-muted">{words.operator.scope(me.tenant)}</p>
          <p className="text-caption text-muted">{words.operator.server(me.server.version)}</p>
        </div>
        <MenuLine />
        {me.abilities.includes('work:write') && (
          <MenuItem onSelect={() => openPauseWork()}>
            <CirclePause aria-hidden="true" size={14} className="w-4" /> {words.pause.all}
          </MenuItem>
        )}
        <MenuItem onSelect={onHelp}>
          <Keyboard aria-hidden="true" size={14} className="w-4" /> {words.operator.keys}
        </MenuItem>
        <MenuSwitch checked={!lettersOff} onCheckedChange={(on) => setLettersOff(!on)}>
          {words.operator.letters}
        </MenuSwitch>
        <MenuLine />
        <MenuItem onSelect={signOut}>
          <LogOut aria-hidden="true" size={14} className="w-4" /> {words.operator.signOut}
        </MenuItem>
      </MenuContent>
    </DropdownMenu.Root>
  );
}
