import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '@fontsource-variable/figtree/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/dialog.css';
import './styles/shell.css';
import './styles/timeline.css';
import './styles/message.css';
import './styles/markdown.css';
import './styles/files.css';
import './styles/pages.css';
import { App } from './shell/App';
import { start } from './store/app';

start();
createRoot(document.getElementById('root')!).render(<StrictMode><App /></StrictMode>);
