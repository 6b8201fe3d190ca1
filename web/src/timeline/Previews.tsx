import { useState } from 'react';
import { fileUrl, useTicket } from '../files/ticket';
import { calm } from '../markdown/calm';
import { safeHref, trust } from '../markdown/links';
import type { Preview } from '../wire';
import { strings } from '../strings';
import { Icon } from '../ui/Icon';

/** What the links of a message lead to, by what their pages say of themselves. */
export function Previews({ previews }: { previews: Preview[] }) {
  const shown = previews.flatMap((preview) => {
    const url = safeHref(preview.url);
    return url && url.protocol !== 'mailto:' && (preview.title || preview.description) ? [{ preview, url }] : [];
  });
  if (!shown.length) return null;
  return (
    <ul className="previews" aria-label={strings.previews}>
      {shown.map(({ preview, url }) => <li key={preview.url}><Card preview={preview} url={url} /></li>)}
    </ul>
  );
}

/** A page may say what it likes: the host is shown as it is. */
function Card({ preview: { title, description, site, image_id }, url }: { preview: Preview; url: URL }) {
  const host = url.host.replace(/^www\./, '');
  const own = site.trim().toLowerCase() === host ? '' : calm(site.trim());
  return (
    <a href={url.href} target="_blank" rel="noopener noreferrer nofollow" className="preview" title={url.href}>
      <span className="preview-text">
        <span className="preview-site">
          {trust('', url).lookalike && <><Icon name="alert" size={13} /><span className="hidden">{strings.lookalike} </span></>}
          <bdi>{host}</bdi>{own && <> · <bdi>{own}</bdi></>}
        </span>
        {title && <bdi className="preview-title">{calm(title)}</bdi>}
        {description && <bdi className="preview-about">{calm(description)}</bdi>}
      </span>
      {image_id && <Picture id={image_id} />}
    </a>
  );
}

function Picture({ id }: { id: string }) {
  const { ticket, refused } = useTicket();
  const [broken, setBroken] = useState(false);
  if (broken) return null;
  return (
    <span className="preview-picture">
      {ticket && <img src={fileUrl(id, 'preview', ticket)} alt="" decoding="async" draggable={false} onError={() => setBroken(!refused())} />}
    </span>
  );
}
