"""The fonts of the VGA text modes, code page 437: 8x16, 8x14 and 8x8 pixels.

The glyphs are those of the collection fntcol16.zip by Joseph Gil, which is in the public domain; the VGA BIOSes of
VirtualBox, QEMU and Bochs show the same ones.
"""

from __future__ import annotations

import base64
import zlib
from functools import lru_cache

HEIGHTS = (16, 14, 8)
"""Of the fonts here, in pixels. All are 8 wide; at 9 pixels a cell the ninth is background or repeats the eighth."""

CHARACTERS = (
    " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
    + "".join(map(chr, range(0x20, 0x7F)))
    + "⌂"
    + bytes(range(0x80, 0xFF)).decode("cp437")
    + " "
)
"""What each of the 256 glyphs stands for; 0 and 255 are blank as 32 is."""

_PACKED = (
    "c-oDb&uiq!6~~1aIu~I(H<4*<2y@t@*a<Tt5q4PeFXS>OF|%m*Aa?uIBZ#7zxePhv9AW~w<&tx*1ByE+dl256F?7fDseKuShK1QC2r2JXy;oIFt#"
    "P*6Mt-W_Rj*!sKW)z&rt<aQUcY{O@%nX1cE9ZV#a-W*Tq5fr711%<$5G*$K^))R-338x>=G(lTNerRU%g6q3+w=sdKssmf1buRe{u2l?ZtxfPY!?"
    "fS>8a(Jt_<-4xj^VpFcVeA<edHZNGf}@;Rh0?=}^69xUU#cuD17RqO4p+ilm?D`g){4o}Xyvy;Qgff;@f1SJpHOLc-LwZB|0fA;{BGK)HivbxS9z"
    "b>3r#U&fGSGqPP9-d0JLwMzPe&93~CS4M`dsbCd=a>)EK7DA-<0vYMu5-px6p`JpL4v)BaWFI<nCe4WAj`T;{p!&c^<`B|CU5G3XK-2jL73EUv=w"
    "DpG+)7f&Gp#BFcHl`S(O5xCKvcB1$KsM+{dXqM7!J0JEwxzjm*o`IGEu0XurXK7K`O_u^@-@f+(jQ@MuGI@wzkiB%VwryuJQ3&YBJed_rBrX0%Rz"
    "lz?4BBD;h7dd}P)WI6fxcM0|VT#VeAFxfm^H9T0gi9N#Vhm*>~GNygs*<bbI_V#vF73?kGz8wxo+bwuNfga!TdR@W{t4m(5U8WC2wxju_&%VmPN}"
    "i>iu#;r#)W5Ck^q1Pko>X_#UrYyp<Hd>c27BH&&{dv8ryFf=6O~MV7)f9|AyNCA58dsRZC|amv)*cci5(y1U*8t~p~=TNZcKg>`4dyWUtWmu)`Rv"
    "JI;DJ`m9<><96wZ6fL>_w)7WXRU%bK1`{$yk^$96)JcS50i>4-C#XhB&chmb=>hU-R`|oqVFz3}<CrPfh*oL#B1_$8zO`)f(vE@~MXY-@%i)8DpF"
    "QhpZZwg;+DYT!>Q@g(4myx@klZkgYQ7Kg}2j#T`Q2A)!FX$ru5|go46teC3oc%HRg&87`kB{_fo{I5fj5p!^I1F3dj>l7zuc|xiA@*O}=m6G+OmF"
    "~WYyT-HJ|C$D<0<*~Axw3K^F6fph3DKKn1^M88BJz2++KCUxj8z|aGd>#no%Rik8#-DPpB;Yqmljs(MH%&7RmD1BWxjb#||p}rI!AK?TP%<6aE1U"
    "Cu}V5+O-X6JRH}?u-K&u?0stQjIV$7puAbV(8d`!cZch7<=OE%{!>eT(&M#um^WfQF<<yc?d*4sW+CE7?a6oo_tFCPYr!|5IbNIAI#UlH%7^e(JW"
    "Ia;|NdUP&x1f+pO9{5v;gk@;C_qsg?x8DXp8ZKe>vw1EE90`W@p)%dmEt~@LXjC_h5+Et1FlA4y|1EgvXzy&Sj0q;p#6F|J2&))t}CE5q%os*g0>"
    "HvzzR((;QgYjsEkezmcEc{#}0l^Fn@t@w6LQ#(u2R2YT`-I$;mXf0&r^!$iv=^FK_C@6wyjkwt1egAlMAjQ>=W4}yMpQw+-oLbH1Pu>PR*>0mvci"
    "19xO&qZ(Nq0Ilm>j(GN4}<zo#QOBMJk>YlX?Fc!y@u`g!}$%i;atr3)UKaOr+e#jKB(Wz@dU&59qyNDuOB4O#VAPIK{^^FS&i@G)y>V#iq12#)lC"
    "D(w_&}Cx4nBHQT}6Mvxb;v?<drsH<)IgOH2@9E7P4=n=*(s!I=o5!ZU;kW7gQ+d(wj-XU`P#+5X_Nw;|?}3E1D4+}$)xFuW(>)Efvu2NpUP83-?U"
    "kw`w9AVzYV?ZXETMgoF6e`u_9^*aVhb1SQOcn_@b3;yFsX}fn>7EdXbIa`6(|4o>DE8VBi$@?*h>Aw{0Uygylz<vq+d&qBqU*f)meTn*(^mD`c7V"
    "|abGvsT=XT;wFeBgTr?}6@FEK9bRU~jnoqg2mGFNxmpyb}*C%uAFXfV{x?PXVz%9Y^?k0AABO`OkpeU2tb^x7e<zJ*@?^&qs)zc%5*aXx+f5MD=}"
    "8cQL*Dh}TO#FY2q?4;v#th|Wuw%_;N{nNvyT@)MWJDUX@FU?O*boO!%(X`EqPqPPI@Jq&j!Tq3w8aBfE8w-Bp_y<4f&UG66A)|AZ<%*?%YiJO4i@"
    "V21sSg>|Zq@87X#-Ozom|ef`x@*&llzb{;n*h#yy|ux2kF7TjS@X)5<x^M2OHoW692@KUx+^lWvM9nKm@^%lR=WC+unCvsFR=h=iP5nG(I02%evF"
    "@$nw|@GE?jb^IWRZRU210kBvHS0iFv@w8$rvlU}cw-dH<pzCco>hudi##z=DtqH&4>>fQ`4d-fYUCsJYl;v4mp1F_w5?1I;alJ7|}DpM}W>nS>7|"
    "2MY?GjWV!4We)!u{B0U%oXoy@MuvRnG#$q>)H@f<JGaEkz{|W#s|2lBi&>ZQ($v{o!@04b+*q#=hYd-%F5eowZRU?bpM5RZ_DYZ~pE1WWR9gt9oe"
    "QF!b3KP<YaI-9ET|b~3%z0bivYc2?DB-M`mU$jW7jmhe>JyFQ%izHiDme8F6cED>{<wNol9<&)Vj~C17g*@>f&lAV6|gZg_GWZ7+byZgEO|$tG{Y"
    "YRle##szg)^sQ1z7k08_C7?nyUl|(9e^gbFLAyLDjl0rurbT`JIqx9L2k*DO&5$ZGyHbR_|HzjRK)|8}aI8#!lWK2nzBYbJ-a+EF4KgyM-gSnrN5"
    "#=aP?#5X1K90PPAx8)j`H}Gv4jd?}wyJ*ZvZEx&acnGIXq3oE#5jVB5*C>i-wRTV9ZoDqA(0r75wQ?}DDhChp+rLohGSf4<~Kk>2M9-aa44Y%B&b"
    "19a^M~X{yzjn?nCTD;zQuei1Zlpq9Vc<#j$=-Fw!y1F~%{#9sT6!_lRyxZHm_b*A%IJxv4Im0x!l-FJ37)d*vM{EIZKj1h_;fh7^Vn=AAvqh0(&a"
    "EK60c#4kEEZFz>W7_bal5mfR2L=~DUPj~;r3RhZ=f!*UZL{36d3X3ZDchHdflCj3y6~Jijv1`JXCwKwEZ=m!&1CUZb=E^|f-?~=_BaWt<!V71pL|"
    "ZR!{3vPk6ZM{km=mw9c0SrbE<4ocZKIF{zpcR^d=@^c9qiQpCfG}&G-|7U&_UIeiS<2{Hvk`1j#qlqf*5HPaI~<Uux_xQiZXyPI)xXVeuCb^{Hyc"
    "~FI1=oQb;N3ToDA0XG6+!OUyvLfY+?LW%WsoRDY-+k@HviRM}WBZ`QLZ&hsC-UHz4FtDkv@I^w!}Uu(4wT2Z})a;We>gZ^?wE4f!G^g8e~HReMt-"
    "&_5TB4Uo38RoxI--A`S{yuAqylG*bq6}5aR?FbR->sDx-@r=F)Hr=lFTh$!?~Qtk??HFr0%$SQH1s`NuElkM4XXA|w4lcJmE(bmF2e8^0m<jNe&*"
    ";{Fn^_(VFA>Xlq!cK-~KuLqJ@YSu0x1tbT&LR;FVRvB!Sf|1CVM;(Usnm=2<S{$ys{tX^~rcYkI<5)Dy;E!2lyDmzGJ4<y5^jJsVn&qK=drTa%4?"
    "5S6KN-L`@L+9Xf#XuR}aHZM_;cBn`5M!B}<@pJ8wpX+ggt)FPaycc*Yz=77nG{-PqRS+6LR&G&K!n+nvB&_~_>+kA+gNTe#Ku&315sgnRK%<_z{h"
    "it{I6BR{cGVbZ$f6L=P*Ulz)Y3KA`o8Ba>gM)Q+8n`i`Q)4LJ~3<pFVjc3T`BzKc|ZSy{;;N7zF5A;-+d9MMHve>mTWB6hBD1cGcC$kj=4f?=ZG&"
    "?cJ+?bVv%L#m6jn^Qn8p~8N~vMrIQv-ESFd)u|%@sNXsHu5S^=jSp=P$@tix7#}zv}N8q@+##J<~is8HWThuOjvuk#+gKeYrik2#1CLzXSEl*}FO"
    "e&HjUW<V<4_oEdL|&*rreRR%^Q}e4#K&h+Vf?O=NS%Ha2U_)^>!S6PCW5Du67Uo%0tTQ8VQeSK;K&90wG@d1lm<Def*CYO-=jjZ0q}oRZ8OR"
)


@lru_cache(1)
def _unpacked() -> bytes:
    return zlib.decompress(base64.b85decode(_PACKED))


@lru_cache(len(HEIGHTS))
def glyphs(height: int) -> tuple[bytes, ...]:
    """The 256 glyphs of one font: a byte for each line from the top, its highest bit the leftmost pixel."""
    start = sum(256 * other for other in HEIGHTS[: HEIGHTS.index(height)])
    data = _unpacked()
    return tuple(data[start + at * height : start + (at + 1) * height] for at in range(256))


def repeats(code: int) -> bool:
    """Whether a ninth column repeats the eighth: so for the lines that boxes are drawn with."""
    return 0xC0 <= code <= 0xDF
