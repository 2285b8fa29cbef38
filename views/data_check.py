"""data_check"""

import streamlit as st

st.title("data_check")
