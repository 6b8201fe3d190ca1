import { Component, type ReactNode } from 'react';
import { strings } from '../strings';
import { Missing } from './Waiting';

/** A part of the page that fails, or whose program cannot be fetched, takes nothing else with it. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    // What failed to load is kept as failed by the browser: only a fresh page asks again.
    return this.state.failed ? <Missing why={strings.failed} onRetry={() => location.reload()} /> : this.props.children;
  }
}
