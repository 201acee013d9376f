// Starts the page.
import './styles/index.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { makeQueryClient } from './api/queries.ts';
import { router } from './app/router.tsx';
import { endSession, takeKeyFromAddress, watchAddressForKey } from './app/session.ts';
import { watchSystemTheme } from './app/theme.ts';

// Dialogs and menus write a style element each time they open; the content policy lets it pass by this number only.
setNonce(document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '');
takeKeyFromAddress();
watchAddressForKey();
watchSystemTheme();

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={makeQueryClient(endSession)}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
