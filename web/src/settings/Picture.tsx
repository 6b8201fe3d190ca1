import { useEffect, useRef, useState, type ChangeEvent, type ReactNode } from 'react';
import { me as meApi } from '../net/api';
import { say, update, useParlor } from '../store/store';
import { nameOf } from '../store/select';
import { strings } from '../strings';
import { Avatar } from '../ui/Avatar';
import { Button, FormError } from '../ui/controls';
import { explain } from '../ui/explain';

const BYTES_MAX = 5 * 1024 * 1024;
const KINDS = 'image/png,image/jpeg,image/webp,image/gif';

/** One's own picture: chosen, and taken away again. The server makes it square and small. Beside it stands who one is. */
export function Picture({ children }: { children: ReactNode }) {
  const user = useParlor((state) => state.me!.user);
  const input = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => () => { if (chosen) URL.revokeObjectURL(chosen); }, [chosen]);

  const change = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
      const me = await meApi.get();
      update((state) => ({ ...state, me, users: { ...state.users, [me.user.id]: { ...state.users[me.user.id], ...me.user } } }));
      say(strings.saved);
    } catch (reason) {
      setError(explain(reason));
    } finally {
      setBusy(false);
      setChosen(null);
    }
  };
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    event.target.value = '';
    if (!file) return;
    if (file.size > BYTES_MAX) return setError(strings.pictureTooLarge);
    setChosen(URL.createObjectURL(file));
    void change(() => meApi.setPicture(file));
  };

  return (
    <section className="my-picture" aria-label={strings.picture}>
      <span className="my-picture-face" aria-busy={busy}>
        <Avatar id={user.id} name={nameOf(user)} size="huge" />
        {chosen && <img className="avatar-picture" src={chosen} alt="" />}
      </span>
      <div className="my-picture-side">
        {children}
        <div className="row-actions">
          <Button busy={busy} onClick={() => input.current!.click()}>{user.picture_id ? strings.pictureChange : strings.pictureChoose}</Button>
          {user.picture_id && <Button look="quiet" busy={busy} onClick={() => void change(meApi.removePicture)}>{strings.pictureRemove}</Button>}
        </div>
        <p className="field-hint">{strings.pictureHint}</p>
        <FormError text={error} />
      </div>
      <input ref={input} type="file" accept={KINDS} hidden tabIndex={-1} aria-hidden="true" onChange={choose} />
    </section>
  );
}
